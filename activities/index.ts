import { createAmendTrailingStop } from './amend-trailing-stop.ts';
