namespace Ferry.Engine.Kernels;

/// <summary>How a weight is stored, in the file and in memory alike.</summary>
public enum WeightFormat
{
    Float32,
    Float16,
    BFloat16,
}

internal static class WeightFormats
{
    public static int Bytes(this WeightFormat format) => format == WeightFormat.Float32 ? 4 : 2;
}
