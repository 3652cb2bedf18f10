//! A directed graph: what comes before what.

/// A graph whose nodes are numbers from 0 and whose edges say what comes first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Graph {
    after: Vec<Vec<usize>>,
}

/// A cycle: each node comes before the next one, and the last before the first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle(pub(crate) Vec<usize>);

impl Graph {
    /// A graph of this many nodes without edges.
    pub(crate) fn new(nodes: usize) -> Self {
        Self { after: vec![Vec::new(); nodes] }
    }

    /// How many nodes it has.
    pub(crate) fn len(&self) -> usize {
        self.after.len()
    }

    /// Adds a node and returns its number.
    pub(crate) fn add_node(&mut self) -> usize {
        self.after.push(Vec::new());
        self.after.len() - 1
    }

    /// Says that `first` comes before `then`.
    pub(crate) fn add_edge(&mut self, first: usize, then: usize) {
        self.after[first].push(then);
    }

    /// What comes directly after a node.
    pub(crate) fn after(&self, node: usize) -> &[usize] {
        &self.after[node]
    }

    /// How many nodes come directly before each node.
    pub(crate) fn counts_before(&self) -> Vec<usize> {
        let mut counts = vec![0; self.len()];
        for &then in self.after.iter().flatten() {
            counts[then] += 1;
        }
        counts
    }

    /// All nodes, each one after everything that comes before it.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Cycle> {
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

    /// For each node the weight of the heaviest road that starts with it, itself included. Roads in cycles count 0.
    pub(crate) fn remaining(&self, weights: &[u64]) -> Vec<u64> {
        let mut remaining = vec![0; self.len()];
        for node in self.order().unwrap_or_default().into_iter().rev() {
            let longest = self.after(node).iter().map(|&then| remaining[then]).max().unwrap_or(0);
            remaining[node] = weights[node] + longest;
        }
        remaining
    }

    /// The nodes of the heaviest road, in order.
    pub(crate) fn critical_path(&self, weights: &[u64]) -> Vec<usize> {
        let remaining = self.remaining(weights);
        let heaviest = |nodes: &mut dyn Iterator<Item = usize>| {
            nodes.max_by_key(|&node| (remaining[node], std::cmp::Reverse(node)))
        };
        std::iter::successors(heaviest(&mut (0..self.len())), |&node| heaviest(&mut self.after(node).iter().copied()))
            .collect()
    }

    /// For each node the number of its strongly connected component: two nodes of one component are on a cycle.
    pub(crate) fn components(&self) -> Vec<usize> {
        Search::new(self).run()
    }

    /// A cycle, of a graph that has one.
    fn cycle(&self) -> Cycle {
        let components = self.components();
        let inside = |node: usize, then: &usize| components[node] == components[*then];
        let step = |node: usize| self.after(node).iter().copied().find(|then| inside(node, then));
        let Some(start) = (0..self.len()).find(|&node| step(node).is_some()) else { return Cycle(Vec::new()) };
        let mut seen_at = vec![None; self.len()];
        let mut path = Vec::new();
        let mut node = start;
        while seen_at[node].is_none() {
            seen_at[node] = Some(path.len());
            path.push(node);
            node = step(node).unwrap_or(node);
        }
        Cycle(path.split_off(seen_at[node].unwrap_or(0)))
    }
}

/// Tarjan's search for components, with a stack of its own: a long chain must not overflow the thread's.
struct Search<'a> {
    graph: &'a Graph,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    component: Vec<Option<usize>>,
    open: Vec<usize>,
    visited: usize,
    components: usize,
}

impl<'a> Search<'a> {
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
