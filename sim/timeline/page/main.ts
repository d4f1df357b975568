import type { PageData } from '../page-data.ts';
import { App } from './app.ts';
import { readRun } from './run.ts';

const data = JSON.parse(document.getElementById('data')?.textContent ?? '') as PageData;
new App(readRun(data)).start();
