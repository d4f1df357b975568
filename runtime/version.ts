/** The version of b8sctl, dom and sub; the same as package.json's. */
export const VERSION = '0.1.0';
