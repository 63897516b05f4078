/** Why something was ended that nobody asks about. Made once: a reason of its own would cost a stack each time. */
export const OVER = Object.freeze(new Error('It is over.'));
