//! Measured values by kernel, what was measured, and tracer.

/// One measurement with its repetitions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// What was measured, as the guest calls it.
    pub(super) name: String,
    /// The tracer at work.
    pub(super) tracer: String,
    /// Each repetition.
    pub(super) values: Vec<f64>,
}

impl Figure {
    /// The value in the middle, 0 without any.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// How far the repetitions lie apart, as a part of the median.
    pub(super) fn spread(&self) -> f64 {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self
            .values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        if self.values.is_empty() || self.median() == 0.0 {
            return 0.0;
        }
        (most - least) / self.median()
    }
}

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Size of the v6trace binary, bytes.
    pub(super) binary_size: Option<u64>,
    /// By kernel, in the order of measuring.
    pub(super) kernels: Vec<(String, Vec<Figure>)>,
}

impl Figures {
    /// Adds what was measured on a kernel.
    pub(super) fn add(&mut self, kernel: &str, measured: Vec<Figure>) {
        match self.kernels.iter_mut().find(|(name, _)| name == kernel) {
            Some((_, figures)) => figures.extend(measured),
            None => self.kernels.push((kernel.to_owned(), measured)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        Figure {
            name: "start".into(),
            tracer: "perf".into(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn medians_and_spreads() {
        assert!((figure(&[3.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        assert!((figure(&[4.0, 1.0, 2.0, 3.0]).median() - 2.5).abs() < 1e-9);
        assert!((figure(&[100.0, 99.0, 101.0]).spread() - 0.02).abs() < 1e-9);
        assert!(figure(&[]).median().abs() < 1e-9);
        assert!(figure(&[0.0]).spread().abs() < 1e-9);
    }

    #[test]
    fn parts_of_one_kernel_come_together() {
        let mut figures = Figures::default();
        figures.add("6.1.1", vec![figure(&[1.0])]);
        figures.add("6.1.1", vec![figure(&[2.0])]);
        assert_eq!(figures.kernels.len(), 1);
        assert_eq!(figures.kernels[0].1.len(), 2);
    }
}
