package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"lookalike/tensor"
)

// Metric says how good predictions are in a number for people, which nothing is
// learned from. The metric of an epoch is a mean over its samples, as Keras's is:
// of the training as each was when it was learned from, of the validation after the
// epoch.
type Metric interface {
	// String is the name in histories and logs: "accuracy". With "val_" in front it
	// is that of the validation.
	String() string

	// Measure returns the sum over what there is to count in a batch, and how many
	// that are. Targets that do not fit the predictions are an error.
	Measure(prediction, target *tensor.Tensor) (sum float64, n int, err error)
}

// The metrics, as Keras defines them. A prediction with a NaN counts as wrong.
var (
	// Accuracy is the share of predictions that are right, by the shapes of
	// predictions and targets as Keras's "accuracy":
	//
	//	[n, …, 1]        [n, …, 1] or [n, …]  is it above 0.5? The target is 0 or 1
	//	[n, …, classes]  [n, …, classes]      is the greatest value the target's?
	//	[n, …, classes]  [n, …, 1] or [n, …]  is the target, a number from 0, that of the greatest value?
	Accuracy Metric = accuracy{}

	// MeanAbsoluteError is the mean difference of predictions and targets, which have
	// one shape.
	MeanAbsoluteError Metric = absoluteError{}
)

// TopK is the share of predictions [n, …, classes] in which fewer than k values are
// greater than that of the target's class; targets are as for [Accuracy]. It is
// Keras's TopKCategoricalAccuracy and SparseTopKCategoricalAccuracy. A k below 1
// panics.
func TopK(k int) Metric {
	if k < 1 {
		panic(fmt.Sprintf("nn.TopK: %d is not a number from 1", k))
	}
	return topK(k)
}

// Measured is the mean of a metric.
type Measured struct {
	Name string // of the metric
	Mean float64
}

type accuracy struct{}

func (accuracy) String() string { return "accuracy" }

func (m accuracy) Measure(prediction, target *tensor.Tensor) (float64, int, error) {
	if prediction.Len() == 0 || lastDim(prediction) > 1 {
		return countRight(m, prediction, target, isGreatest)
	}
	if target.Len() != prediction.Len() {
		return 0, 0, unlike(m, prediction, target)
	}
	right, t := 0, target.Data()
	for i, p := range prediction.Data() {
		if p > 0.5 && t[i] == 1 || p <= 0.5 && t[i] == 0 {
			right++
		}
	}
	return float64(right), target.Len(), nil
}

// isGreatest tells whether a class has the greatest of values, and the first such one.
func isGreatest(values []float32, class int) bool {
	for i, v := range values {
		if v != v || v > values[class] || v == values[class] && i < class {
			return false
		}
	}
	return true
}

type topK int

func (k topK) String() string { return fmt.Sprintf("top_%d_categorical_accuracy", int(k)) }

func (k topK) Measure(prediction, target *tensor.Tensor) (float64, int, error) {
	return countRight(k, prediction, target, func(values []float32, class int) bool {
		greater := 0
		for _, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return false // as TensorFlow has it
			}
			if v > values[class] {
				greater++
			}
		}
		return greater < int(k)
	})
}

// countRight counts the rows of classes that are right for the target's class.
func countRight(m Metric, prediction, target *tensor.Tensor, right func(values []float32, class int) bool) (float64, int, error) {
	if prediction.Len() == 0 {
		return 0, 0, unlike(m, prediction, target)
	}
	n := lastDim(prediction)
	count, given := prediction.Len()/n, target.Data()
	oneHot := slices.Equal(prediction.Shape(), target.Shape())
	if !oneHot && (target.Len() != count || target.Dim(0) != prediction.Dim(0)) {
		return 0, 0, unlike(m, prediction, target)
	}
	sum := 0
	for i := range count {
		var class int
		if oneHot {
			class = greatest(given[i*n:][:n])
		} else if class = int(given[i]); !(given[i] >= 0 && class < n && float32(class) == given[i]) {
			return 0, 0, fmt.Errorf("%s: target %v is not one of the classes 0 to %d", m, given[i], n-1)
		}
		if right(prediction.Data()[i*n:][:n], class) {
			sum++
		}
	}
	return float64(sum), count, nil
}

// greatest returns the place of the first greatest value.
func greatest(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

type absoluteError struct{}

func (absoluteError) String() string { return "mean_absolute_error" }

func (m absoluteError) Measure(prediction, target *tensor.Tensor) (sum float64, n int, err error) {
	if prediction.Len() == 0 || !slices.Equal(prediction.Shape(), target.Shape()) {
		return 0, 0, unlike(m, prediction, target)
	}
	t := target.Data()
	for i, p := range prediction.Data() {
		sum += math.Abs(float64(p) - float64(t[i]))
	}
	return sum, prediction.Len(), nil
}

func unlike(m Metric, prediction, target *tensor.Tensor) error {
	return fmt.Errorf("%s of predictions %v and targets %v: shapes do not fit", m, prediction.Shape(), target.Shape())
}

// measuring adds up metrics over the batches of an epoch.
type measuring struct {
	metrics []Metric
	sums    []float64
	counts  []int
	means   []Measured
}

// checkMetrics returns an error unless every metric has a name of its own.
func checkMetrics(metrics []Metric) error {
	seen := map[string]bool{}
	for i, m := range metrics {
		if isNil(m) {
			return fmt.Errorf("metric %d of %d is nil", i+1, len(metrics))
		}
		name := m.String()
		if name == "" || name == TrainLoss || strings.HasPrefix(name, "val_") || seen[name] {
			return fmt.Errorf("metric %d of %d cannot have the name %q: it is empty, is taken, or begins with val_", i+1, len(metrics), name)
		}
		seen[name] = true
	}
	return nil
}

func newMeasuring(metrics []Metric) *measuring {
	m := &measuring{metrics: metrics, sums: make([]float64, len(metrics)), counts: make([]int, len(metrics)), means: make([]Measured, len(metrics))}
	for i, metric := range metrics {
		m.means[i].Name = metric.String()
	}
	return m
}

// add adds up a batch.
func (m *measuring) add(prediction, target *tensor.Tensor) error {
	for i, metric := range m.metrics {
		sum, n, err := metric.Measure(prediction, target)
		if err != nil {
			return err
		}
		m.sums[i] += sum
		m.counts[i] += n
		m.means[i].Mean = m.sums[i] / float64(max(1, m.counts[i]))
	}
	return nil
}

// measured returns the means so far, nil where there are no metrics.
func (m *measuring) measured() []Measured {
	if len(m.metrics) == 0 {
		return nil
	}
	return m.means
}
