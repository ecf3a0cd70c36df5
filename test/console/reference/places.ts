/** Parts of pages that several numbers are about. */
import type { Locator, Page } from 'playwright-core';

/** The card of a quota on the overview. */
export const cardOf = (page: Page, quota: string): Locator =>
  page.getByRole('region', { name: quota, exact: true });

/** The sums beside the chart of the usage history. */
export const sumsOf = (page: Page): Locator =>
  page.getByRole('region', { name: 'Sums of this time' }).first();
