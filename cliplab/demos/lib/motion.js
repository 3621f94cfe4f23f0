// @ts-check
// Motion is for those who have not asked for less of it.

export const isMotionWelcome = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
