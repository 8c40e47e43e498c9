import { config } from 'zod';

/**
 * The page's policy forbids code from text, which zod would try as soon as a schema is made. So this is the first import of the page: it has
 * to come before every file with a schema.
 */
config({ jitless: true });
