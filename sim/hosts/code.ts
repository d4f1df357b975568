import { createAgent } from '../../agent/agent.ts';
import { createInProcessPlane } from '../../agent/plane/in-process-plane.ts';
import { importGeo } from '../../dom/bootstrap/geo.ts';
import { Dom } from '../../dom/dom.ts';
import { createSealer } from '../../dom/identity/sealer.ts';

/** What of the production code a host runs; all else is reached from here. */
export interface Code {
  /** `present`, or what the older one is called. */
  readonly version: string;
  readonly createAgent: typeof createAgent;
  readonly createInProcessPlane: typeof createInProcessPlane;
  readonly Dom: typeof Dom;
  readonly importGeo: typeof importGeo;
  readonly createSealer: typeof createSealer;
}

export const PRESENT: Code = {
  version: 'present',
  ...{ createAgent, createInProcessPlane },
  ...{ Dom, importGeo, createSealer },
};
