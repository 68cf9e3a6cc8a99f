using System.Buffers.Binary;
using System.Text.Json;
using Ferry.Engine.Kernels;

namespace Ferry.Engine.Model;

/// <summary>A safetensors file, mapped read-only: u64 header length, JSON header, data. Nothing in it is trusted.</summary>
/// <remarks>Checked on opening: lengths against the file, types, shapes against sizes, no name twice, no two tensors over the same bytes.</remarks>
internal sealed class SafetensorsFile : IDisposable
{
    // The format's reference reader has a cap of 100 MB; the headers of the largest published models stay below 1 MB.
    private const long MaxHeaderBytes = 64L << 20;
    private const int MaxTensors = 200_000;
    private const int MaxRank = 8;
    private const int MaxHeaderDepth = 4;
    private const int LengthBytes = sizeof(ulong);

    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorInfo> _tensors;

    private SafetensorsFile(string path, MappedFile file, Dictionary<string, TensorInfo> tensors)
    {
        Path = path;
        _file = file;
        _tensors = tensors;
    }

    public string Path { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <exception cref="ModelLoadException">The file is missing, truncated or not what it says.</exception>
    public static SafetensorsFile Open(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw new ModelLoadException($"{path} does not exist.");
        }
        if (info.Length < LengthBytes)
        {
            throw new ModelLoadException($"{path} has {info.Length} bytes; a safetensors file begins with {LengthBytes} bytes of header length. It is probably truncated.");
        }
        MappedFile file;
        try
        {
            file = new MappedFile(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"{path} cannot be mapped: {exception.Message}", exception);
        }
        try
        {
            return new SafetensorsFile(path, file, ReadHeader(path, file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Part of a tensor's bytes; valid until this file is disposed.</summary>
    public ReadOnlySpan<byte> Bytes(TensorInfo tensor, long offset, int byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, tensor.ByteCount - byteCount);
        return _file.Slice(tensor.Offset + offset, byteCount);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Bytes of one element, or null for a type that this reader does not know.</summary>
    private static int? ElementBytes(string dtype) => dtype switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 1,
        _ => null,
    };

    private static Dictionary<string, TensorInfo> ReadHeader(string path, MappedFile file)
    {
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, LengthBytes));
        if (headerBytes > MaxHeaderBytes)
        {
            throw new ModelLoadException($"{path}: the header length is {headerBytes}; at most {MaxHeaderBytes} is allowed. This is not a safetensors file, or it is damaged.");
        }
        long dataStart = LengthBytes + (long)headerBytes;
        if (dataStart > file.ByteCount)
        {
            throw new ModelLoadException($"{path}: the header needs {dataStart} bytes, but the file has {file.ByteCount}. It is truncated.");
        }
        try
        {
            using var document = JsonDocument.Parse(
                file.Slice(LengthBytes, (int)headerBytes).ToArray(),
                new JsonDocumentOptions { MaxDepth = MaxHeaderDepth, AllowDuplicateProperties = false });
            return ReadTensors(path, document.RootElement, dataStart, file.ByteCount);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: bad UTF-8 or a lone surrogate, which the parser notices only when the text is read.
            throw new ModelLoadException($"{path}: the header is not valid: {exception.Message}", exception);
        }
    }

    private static Dictionary<string, TensorInfo> ReadTensors(string path, JsonElement root, long dataStart, long fileBytes)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new ModelLoadException($"{path}: the header is a JSON {root.ValueKind}; an object is needed.");
        }
        var tensors = new Dictionary<string, TensorInfo>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                continue;
            }
            if (tensors.Count == MaxTensors)
            {
                throw new ModelLoadException($"{path}: the header has more than {MaxTensors} tensors, the limit.");
            }
            tensors.Add(property.Name, ReadTensor(path, property.Name, property.Value, dataStart, fileBytes));
        }
        RefuseOverlaps(path, tensors.Values);
        return tensors;
    }

    private static TensorInfo ReadTensor(string path, string name, JsonElement entry, long dataStart, long fileBytes)
    {
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String
            || !entry.TryGetProperty("shape", out var shapes) || shapes.ValueKind != JsonValueKind.Array
            || !entry.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
        {
            throw new ModelLoadException($"{path}: tensor {name} must have dtype (a string), shape (a list) and data_offsets (two numbers).");
        }
        string dtype = type.GetString()!;
        int elementBytes = ElementBytes(dtype) ?? throw new ModelLoadException($"{path}: tensor {name} has the unknown type {dtype}.");
        if (shapes.GetArrayLength() > MaxRank)
        {
            throw new ModelLoadException($"{path}: tensor {name} has {shapes.GetArrayLength()} dimensions; at most {MaxRank} are allowed.");
        }
        var shape = new List<long>();
        UInt128 expected = (UInt128)elementBytes;
        foreach (var dimension in shapes.EnumerateArray())
        {
            long size = ReadLength(path, name, "shape", dimension);
            shape.Add(size);
            // Each factor is below 2^63 and the product is capped at each step, so it never wraps.
            expected = UInt128.Min(expected * (UInt128)size, (UInt128)long.MaxValue);
        }
        long begin = ReadLength(path, name, "data_offsets", offsets[0]);
        long end = ReadLength(path, name, "data_offsets", offsets[1]);
        if (begin > end || end > fileBytes - dataStart)
        {
            throw new ModelLoadException(
                $"{path}: tensor {name} lies at {begin}..{end} of the data, which has {fileBytes - dataStart} bytes. The file is truncated or damaged.");
        }
        if ((UInt128)(end - begin) != expected)
        {
            throw new ModelLoadException(
                $"{path}: tensor {name} of type {dtype} and shape [{string.Join(", ", shape)}] needs {expected} bytes, but has {end - begin}.");
        }
        return new TensorInfo(name, dtype, shape, dataStart + begin, end - begin);
    }

    private static long ReadLength(string path, string name, string field, JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long value) && value >= 0
            ? value
            : throw new ModelLoadException($"{path}: tensor {name} has {element.GetRawText()} in {field}; an integer from 0 is needed.");

    private static void RefuseOverlaps(string path, IEnumerable<TensorInfo> tensors)
    {
        TensorInfo? before = null;
        foreach (var tensor in tensors.Where(tensor => tensor.ByteCount > 0).OrderBy(tensor => tensor.Offset))
        {
            if (before is not null && tensor.Offset < before.Offset + before.ByteCount)
            {
                throw new ModelLoadException($"{path}: tensors {before.Name} and {tensor.Name} lie over the same bytes.");
            }
            before = tensor;
        }
    }
}
