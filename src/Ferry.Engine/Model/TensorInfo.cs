namespace Ferry.Engine.Model;

/// <summary>One entry of a safetensors header.</summary>
/// <param name="DType">As the file names it, such as <c>BF16</c>.</param>
/// <param name="Offset">From the start of the file.</param>
internal sealed record TensorInfo(string Name, string DType, IReadOnlyList<long> Shape, long Offset, long ByteCount);
