export type { KvCacheManager as KvCache } from "./kvCacheManager.js";
