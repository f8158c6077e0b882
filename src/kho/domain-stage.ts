// SPDX-License-Identifier: Apache-2.0
import type { Stage } from '../vtd/paging-format.js';
import type { HandoverDomain } from './iommu-state.js';

/** The stage of a domain's tables. The RFC of 2024 does not say it: its driver made second-stage ones. */
export function stageOf({ signExtend }: HandoverDomain): Stage {
  return signExtend === true ? 'first' : 'second';
}
