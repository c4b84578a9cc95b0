#!/usr/bin/env node
require("../../build").run("keyless/cli/main.js");
