// The first import of the package: on a Node that is too old it ends there, with one line instead of what breaks first.
import { nodeFault } from './kit/node-version.ts';

const fault = nodeFault();
if (fault !== null) {
  const error = new Error(fault);
  error.stack = fault;
  throw error;
}
