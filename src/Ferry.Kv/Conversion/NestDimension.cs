namespace Ferry.Kv.Conversion;

/// <summary>One loop: <paramref name="Count"/> steps, each moving source and target on by their strides in bytes.</summary>
internal readonly record struct NestDimension(long Count, long SourceStride, long TargetStride)
{
    public static NestDimension Once => new(1, 0, 0);
}
