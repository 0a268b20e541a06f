package optim

import (
	"errors"
	"fmt"
	"math"
	"reflect"
)

// checker is what tells whether its options make sense: optimizers and schedules.
type checker interface{ Check() error }

// number is an option from 0, share one in [0, 1).
type (
	number struct {
		name  string
		value float64
	}
	share number
)

func (n number) Check() error {
	if !fits(n.value) {
		return fmt.Errorf("%s %v is not a number from 0", n.name, n.value)
	}
	return nil
}

func (s share) Check() error {
	if !(s.value >= 0 && float32(s.value) < 1) {
		return fmt.Errorf("%s %v is not in [0, 1)", s.name, s.value)
	}
	return nil
}

// Check returns an error unless the bounds make sense.
func (c Clip) Check() error {
	if c.Norm != 0 && c.GlobalNorm != 0 {
		return errors.New("gradients are clipped by Norm and by GlobalNorm; set one of them")
	}
	if !fits(c.Norm) || !fits(c.GlobalNorm) {
		return fmt.Errorf("gradients cannot be clipped to norms of %v and %v; give numbers from 0", c.Norm, c.GlobalNorm)
	}
	return nil
}

// fits tells whether v is a number from 0 that float32 can hold.
func fits(v float64) bool { return v >= 0 && v <= math.MaxFloat32 }

// check returns the first error of an optimizer's options.
func check(op string, schedule Schedule, clip Clip, options ...checker) error {
	if err := checkSchedule(schedule); schedule != nil && err != nil {
		return fmt.Errorf("optim.%s: %w", op, err)
	}
	for _, o := range append(options, clip) {
		if err := o.Check(); err != nil {
			return fmt.Errorf("optim.%s: %w", op, err)
		}
	}
	return nil
}

// checkSchedule returns an error if there is no schedule, or one that says itself
// that it makes no sense.
func checkSchedule(s Schedule) error {
	if v := reflect.ValueOf(s); s == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("the schedule is nil")
	}
	if c, ok := s.(checker); ok {
		return c.Check()
	}
	return nil
}

func errNil(op string) error { return fmt.Errorf("optim.%s: the optimizer is nil", op) }

// must panics where an optimizer is used that cannot be.
func must(err error) {
	if err != nil {
		panic(err.Error())
	}
}
