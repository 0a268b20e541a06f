module lookalike/internal/f32/asm/neon

go 1.26.0
