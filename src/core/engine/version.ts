/** roofserve's version, printed in every result; a test keeps it equal to package.json's. */
export const ROOFSERVE_VERSION = "0.1.0";
