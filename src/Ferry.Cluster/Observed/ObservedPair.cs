namespace Ferry.Cluster.Observed;

/// <summary>A prefill and a decode engine that would work together.</summary>
internal sealed record ObservedPair(ObservedProcess Prefill, ObservedProcess Decode)
{
    /// <summary>Both are known and differ.</summary>
    public bool IsCrossVendor => Prefill.Accelerator.Kind != AcceleratorKind.Unknown &&
        Decode.Accelerator.Kind != AcceleratorKind.Unknown && Prefill.Accelerator.Kind != Decode.Accelerator.Kind;
}
