#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The order of the rooms: no include runs upwards, none is circular, inner headers stay in their room."""
import os
import re
import sys

# Which rooms each room may include, besides itself (docs/design.md, "The rooms").
MAY = {
    'base': set(),
    'trace': {'base'},
    'bus': {'base', 'trace'},
    'mmu': {'base', 'trace', 'bus'},
    'cpu': {'base', 'trace', 'bus', 'mmu'},
    'timer': {'base', 'trace', 'bus', 'cpu'},
    'gic': {'base', 'trace', 'bus', 'cpu'},
    'smmu': {'base', 'trace', 'bus', 'mmu'},
    'device': {'base', 'trace', 'bus'},
    'board': {'base', 'trace', 'bus', 'mmu', 'cpu', 'timer', 'gic', 'smmu', 'device'},
    'explain': {'base', 'trace', 'bus', 'mmu', 'cpu', 'timer', 'gic', 'smmu', 'device', 'board'},
    'traptest': {'base', 'trace', 'bus', 'mmu', 'cpu', 'timer', 'gic', 'device', 'board', 'explain'},
    'cli': {'base', 'trace', 'bus', 'mmu', 'cpu', 'timer', 'gic', 'smmu', 'device', 'board', 'explain',
            'traptest'},
}
ONLY = {('timer', 'cpu'): {'cpu/sysreg.h', 'cpu/feature.h'}, ('gic', 'cpu'): {'cpu/sysreg.h', 'cpu/feature.h'}}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def main():
    root = os.path.join(sys.argv[1], 'src')
    errors, graph = [], {}
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if not name.endswith(('.c', '.h', '.def')):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            room = path.split(os.sep)[0]
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                text = file.read()
            if room not in MAY:
                errors.append(f'src/{path}: {room} is no room of the design')
                continue
            graph[path] = []
            for target in INCLUDE.findall(text):
                if target.startswith('strata/'):
                    if room not in ('board', 'explain', 'traptest', 'cli'):
                        errors.append(f'src/{path}: includes the public API {target}')
                    continue
                to_room = target.split('/')[0]
                if not os.path.exists(os.path.join(root, target)):
                    errors.append(f'src/{path}: include "{target}" is not written from src/')
                    continue
                graph[path].append(target)
                if to_room == room:
                    continue
                if to_room not in MAY[room]:
                    errors.append(f'src/{path}: {room} may not include {target}')
                elif target.endswith(('_internal.h', '.def')):
                    errors.append(f'src/{path}: {target} is private to its room')
                elif (room, to_room) in ONLY and target not in ONLY[room, to_room]:
                    errors.append(f'src/{path}: of {to_room} only {sorted(ONLY[room, to_room])} may be included')
    errors += cycles(graph)
    for error in errors:
        print(error)
    print(f'{len(graph)} files: {len(errors)} wrong')
    return 1 if errors else 0


def cycles(graph):
    state, found = {}, []

    def visit(node, trail):
        state[node] = 1
        for target in graph.get(node, []):
            if state.get(target) == 1:
                found.append('circular include: ' + ' -> '.join(trail[trail.index(target):] + [target]
                                                                if target in trail else [node, target]))
            elif target not in state:
                visit(target, trail + [target])
        state[node] = 2

    for node in graph:
        if node not in state:
            visit(node, [node])
    return found


if __name__ == '__main__':
    sys.exit(main())
