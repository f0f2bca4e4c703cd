#!/bin/sh
set -e
# Migrations come first, whatever is started.
node migrate.js
exec "$@"
