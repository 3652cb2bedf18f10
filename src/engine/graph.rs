//! A directed graph of the order of nodes.

/// A graph whose nodes are numbers from 0 and whose edges define the order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Graph {
    after: Vec<Vec<usize>>,
}

/// A cycle: each node comes before the next one, and the last one before the first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GraphCycle(pub(crate) Vec<usize>);

impl Graph {
    /// Returns a graph of this many nodes without edges.
    pub(crate) fn new(nodes: usize) -> Self {
        Self { after: vec![Vec::new(); nodes] }
    }

    /// Returns the number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.after.len()
    }

    /// Adds a node and returns its number.
    pub(crate) fn add_node(&mut self) -> usize {
        self.after.push(Vec::new());
        self.after.len() - 1
    }

    /// Adds an edge: `first` comes before `then`.
    pub(crate) fn add_edge(&mut self, first: usize, then: usize) {
        self.after[first].push(then);
    }

    /// Returns the direct successors of a node.
    pub(crate) fn after(&self, node: usize) -> &[usize] {
        &self.after[node]
    }

    /// Returns `true` if a path leads from one node to another.
    pub(crate) fn precedes(&self, first: usize, then: usize) -> bool {
        let mut seen = vec![false; self.len()];
        let mut open = vec![first];
        while let Some(node) = open.pop() {
            if node == then {
                return true;
            }
            if !std::mem::replace(&mut seen[node], true) {
                open.extend(self.after(node));
            }
        }
        false
    }

    /// Returns the number of direct predecessors of each node.
    pub(crate) fn counts_before(&self) -> Vec<usize> {
        let mut counts = vec![0; self.len()];
        for &then in self.after.iter().flatten() {
            counts[then] += 1;
        }
        counts
    }

    /// Returns all nodes, each one after all of its predecessors.
    pub(crate) fn order(&self) -> Result<Vec<usize>, GraphCycle> {
        let mut counts = self.counts_before();
        let mut order: Vec<usize> = (0..self.len()).filter(|&node| counts[node] == 0).collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &then in self.after(node) {
                counts[then] -= 1;
                if counts[then] == 0 {
                    order.push(then);
                }
            }
        }
        if order.len() == self.len() { Ok(order) } else { Err(self.cycle()) }
    }

    /// Returns for each node the weight of the heaviest path that starts with it, itself included. Paths in cycles count 0.
    pub(crate) fn remaining(&self, weights: &[u64]) -> Vec<u64> {
        let mut remaining = vec![0; self.len()];
        for node in self.order().unwrap_or_default().into_iter().rev() {
            let longest = self.after(node).iter().map(|&then| remaining[then]).max().unwrap_or(0);
            remaining[node] = weights[node] + longest;
        }
        remaining
    }

    /// Returns the nodes of the heaviest path, in order.
    pub(crate) fn critical_path(&self, weights: &[u64]) -> Vec<usize> {
        let remaining = self.remaining(weights);
        let heaviest = |nodes: &mut dyn Iterator<Item = usize>| {
            nodes.max_by_key(|&node| (remaining[node], std::cmp::Reverse(node)))
        };
        std::iter::successors(heaviest(&mut (0..self.len())), |&node| heaviest(&mut self.after(node).iter().copied()))
            .collect()
    }

    /// Returns for each node the number of its strongly connected component: two nodes of one component are on a cycle.
    pub(crate) fn components(&self) -> Vec<usize> {
        ComponentSearch::new(self).run()
    }

    /// Returns a cycle of a graph that has one.
    fn cycle(&self) -> GraphCycle {
        let components = self.components();
        let inside = |node: usize, then: &usize| components[node] == components[*then];
        let step = |node: usize| self.after(node).iter().copied().find(|then| inside(node, then));
        let Some(start) = (0..self.len()).find(|&node| step(node).is_some()) else { return GraphCycle(Vec::new()) };
        let mut seen_at = vec![None; self.len()];
        let mut path = Vec::new();
        let mut node = start;
        while seen_at[node].is_none() {
            seen_at[node] = Some(path.len());
            path.push(node);
            node = step(node).unwrap_or(node);
        }
        GraphCycle(path.split_off(seen_at[node].unwrap_or(0)))
    }
}

/// Tarjan's algorithm for components, with an explicit stack: a long chain must not overflow the thread's stack.
struct ComponentSearch<'a> {
    graph: &'a Graph,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    component: Vec<Option<usize>>,
    open: Vec<usize>,
    visited: usize,
    components: usize,
}

impl<'a> ComponentSearch<'a> {
    fn new(graph: &'a Graph) -> Self {
        let nodes = graph.len();
        Self {
            graph,
            index: vec![None; nodes],
            low: vec![0; nodes],
            component: vec![None; nodes],
            open: Vec::new(),
            visited: 0,
            components: 0,
        }
    }

    fn run(mut self) -> Vec<usize> {
        for node in 0..self.graph.len() {
            if self.index[node].is_none() {
                self.visit(node);
            }
        }
        self.component.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn visit(&mut self, root: usize) {
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some(&mut (node, ref mut next)) = path.last_mut() {
            let Some(&then) = self.graph.after(node).get(*next) else {
                path.pop();
                self.leave(node, path.last().map(|&(before, _)| before));
                continue;
            };
            *next += 1;
            match (self.index[then], self.component[then]) {
                (None, _) => {
                    self.enter(then);
                    path.push((then, 0));
                }
                (Some(index), None) => self.low[node] = self.low[node].min(index),
                (Some(_), Some(_)) => {}
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.index[node] = Some(self.visited);
        self.low[node] = self.visited;
        self.visited += 1;
        self.open.push(node);
    }

    fn leave(&mut self, node: usize, before: Option<usize>) {
        if self.index[node] == Some(self.low[node]) {
            while let Some(member) = self.open.pop() {
                self.component[member] = Some(self.components);
                if member == node {
                    break;
                }
            }
            self.components += 1;
        }
        if let Some(before) = before {
            self.low[before] = self.low[before].min(self.low[node]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for &(first, then) in edges {
            graph.add_edge(first, then);
        }
        graph
    }

    #[test]
    fn what_comes_first_is_first_in_the_order() {
        let order = graph(4, &[(3, 1), (1, 0), (3, 2), (2, 0)]).order().unwrap();
        assert_eq!(order, [3, 1, 2, 0]);
    }

    #[test]
    fn a_cycle_is_named_without_what_leads_to_it() {
        let GraphCycle(nodes) = graph(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)]).order().unwrap_err();
        assert_eq!(nodes, [1, 2, 3]);
        assert_eq!(graph(2, &[(1, 1)]).order().unwrap_err(), GraphCycle(vec![1]));
    }

    #[test]
    fn the_critical_path_is_the_heaviest_one() {
        let graph = graph(5, &[(0, 1), (1, 4), (0, 2), (2, 3), (3, 4)]);
        assert_eq!(graph.critical_path(&[1, 10, 2, 3, 1]), [0, 1, 4]);
        assert_eq!(graph.critical_path(&[1, 4, 2, 3, 1]), [0, 2, 3, 4]);
        assert_eq!(graph.remaining(&[1, 4, 2, 3, 1]), [7, 5, 6, 4, 1]);
        assert_eq!(Graph::default().critical_path(&[]), Vec::<usize>::new());
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let nodes = 200_000;
        let edges: Vec<(usize, usize)> = (1..nodes).map(|node| (node - 1, node)).collect();
        assert_eq!(graph(nodes, &edges).components().iter().max(), Some(&(nodes - 1)));
    }

    /// Returns `true` if `to` can be reached from `from`, by a simple slow search.
    fn reaches(graph: &Graph, from: usize, to: usize) -> bool {
        let (mut visited, mut open) = (vec![false; graph.len()], graph.after(from).to_vec());
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut visited[node], true) {
                open.extend(graph.after(node));
            }
        }
        visited[to]
    }

    proptest! {
        #[test]
        fn components_are_what_reaches_each_other(edges in proptest::collection::vec((0..8_usize, 0..8_usize), 0..20)) {
            let graph = graph(8, &edges);
            let components = graph.components();
            for one in 0..8 {
                for other in 0..8 {
                    let together = one == other || (reaches(&graph, one, other) && reaches(&graph, other, one));
                    prop_assert_eq!(components[one] == components[other], together);
                }
            }
            match graph.order() {
                Ok(order) => {
                    let place = |node| order.iter().position(|&other| other == node).unwrap();
                    prop_assert!(edges.iter().all(|&(first, then)| place(first) < place(then)));
                }
                Err(GraphCycle(nodes)) => {
                    let closed = nodes.iter().zip(nodes.iter().cycle().skip(1));
                    prop_assert!(!nodes.is_empty());
                    prop_assert!(closed.into_iter().all(|(&first, then)| graph.after(first).contains(then)));
                }
            }
        }
    }
}
