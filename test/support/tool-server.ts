// A program with workers of its own, to be killed: runs each tool that it is told, and says when they run.
// Arguments: the tools folder as JSON of its files, then `group tool` pairs.
import { openToolWorld } from './tool-groups.ts';

const [files = '{}', ...calls] = process.argv.slice(2);
const world = openToolWorld(JSON.parse(files));
for (const call of calls) {
  const [group = '', tool = ''] = call.split(' ');
  await world.describe(group);
  void world.run(group, tool);
}
console.log(world.workingFolder);
