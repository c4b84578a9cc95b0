#!/usr/bin/env node
require("../build").run("cli/main.js");
