// Before the library itself: it throws at import without the polyfill.
import '../reflect-metadata.ts';

export * as x509 from '@peculiar/x509';
