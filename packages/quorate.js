#!/usr/bin/env node
// Runs the program of the package for this platform, which npm installs as an optional dependency of this one.
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const name = `@quorate/${process.platform}-${process.arch}`;
const file = process.platform === 'win32' ? 'quorate.exe' : 'quorate';

let program;
try {
  program = require.resolve(`${name}/${file}`);
} catch {
  console.error(`error: the package ${name} is not installed`);
  console.error('hint: install quorate again without --omit=optional; docs/install.md lists the platforms, and other ways');
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
// A terminal sends Ctrl-C to the program too. It ends when its changes in flight are recorded, and this process after it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`error: ${program} could not be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
