package knn

// heap keeps the nearest of the neighbours offered to it, as many as its
// capacity, with the farthest of them at index 0.
type heap []Neighbor

// offer takes n in, in place of the farthest if the heap is full and n is
// nearer.
func (h *heap) offer(n Neighbor) {
	s := *h
	if len(s) < cap(s) {
		s = append(s, n)
		*h = s
		for i := len(s) - 1; i > 0; { // up
			parent := (i - 1) / 2
			if compare(s[parent], s[i]) > 0 {
				return
			}
			s[parent], s[i] = s[i], s[parent]
			i = parent
		}
		return
	}
	if compare(n, s[0]) > 0 {
		return
	}
	s[0] = n
	for i := 0; ; { // down
		child := 2*i + 1
		if child >= len(s) {
			return
		}
		if child+1 < len(s) && compare(s[child+1], s[child]) > 0 {
			child++
		}
		if compare(s[i], s[child]) > 0 {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
