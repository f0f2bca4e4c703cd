// Loaded by kiln before yarn while that fetches packages: nothing of others runs where there are logins.
const children = require('child_process');
for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync']) {
  children[name] = () => {
    throw new Error('kiln: packages are fetched without running anything of theirs');
  };
}
