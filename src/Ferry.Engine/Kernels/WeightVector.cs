namespace Ferry.Engine.Kernels;

/// <summary>Weights of a norm, widened to floats; they belong to the model's <see cref="WeightMemory"/>.</summary>
internal sealed unsafe class WeightVector(ReadOnlySpan<float> values, WeightMemory memory)
{
    public float* Pointer { get; } = memory.TakeVector(values);
}
