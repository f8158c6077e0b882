// SPDX-License-Identifier: Apache-2.0
// Findings in the Static Analysis Results Interchange Format, OASIS SARIF 2.1.0.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { Finding, Rule } from '../kho/rules/rule.js';
import type { Verification } from '../kho/verify.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** A path as a relative or absolute URI reference. */
function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/');
}

function locationOf(uri: string, address: bigint | undefined, path: string | undefined): object {
  return {
    physicalLocation: {
      artifactLocation: { uri, index: 0 },
      address:
        address === undefined || address > BigInt(Number.MAX_SAFE_INTEGER)
          ? undefined
          : { absoluteAddress: Number(address), name: formatHex(address), kind: 'physical memory' },
    },
    logicalLocations:
      path === undefined ? undefined : [{ fullyQualifiedName: escapeText(path), kind: 'member' }],
  };
}

function resultOf({ rule, severity, message, at, effect }: Finding, uri: string, index: number): object {
  return {
    ruleId: rule,
    ruleIndex: index,
    level: severity,
    message: { text: escapeText(message) },
    locations: [locationOf(uri, at.address, at.path)],
    relatedLocations:
      at.other === undefined ? undefined : [{ id: 1, ...locationOf(uri, at.other, undefined) }],
    properties: { effect },
  };
}

/**
 * Writes findings as a SARIF log.
 *
 * @param rules - all rules, whether they ran or not
 * @param version - of this program
 */
export function writeVerifySarif(
  out: TextSink,
  file: string,
  rules: readonly Rule[],
  { findings, skipped }: Verification,
  version: string,
): void {
  const uri = uriOf(file);
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'kho verify',
            version,
            rules: rules.map(({ id, title, why, severity, source, effect, family }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: why },
              help: { text: `${why} Source: ${source}` },
              defaultConfiguration: { level: severity },
              properties: { tags: [family], effect },
            })),
          },
        },
        artifacts: [{ location: { uri } }],
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: skipped.map(({ rule, because }) => ({
              level: 'note',
              message: { text: escapeText(`not checked: ${because}`) },
              associatedRule: { id: rule },
            })),
          },
        ],
        results: findings.map((finding) =>
          resultOf(
            finding,
            uri,
            rules.findIndex(({ id }) => id === finding.rule),
          ),
        ),
      },
    ],
  };
  writeJsonValue(out, log, '');
  out('\n');
}
