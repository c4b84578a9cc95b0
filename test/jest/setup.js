// A limit for tests that hang, not for slow ones: how fast a busy machine is says nothing about the code. `npm run bench`
// measures speed.
jest.setTimeout(300_000);
