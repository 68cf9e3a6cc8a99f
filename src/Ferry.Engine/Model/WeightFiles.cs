using Ferry.Engine.Kernels;

namespace Ferry.Engine.Model;

/// <summary>All weight files of a model directory, seen as one set of tensors.</summary>
internal sealed class WeightFiles : IDisposable
{
    public const string SingleName = "model.safetensors";
    public const string IndexName = "model.safetensors.index.json";

    // The indices of the largest published models have some 100 kB and 200 files.
    private const long MaxIndexBytes = 16L << 20;
    private const int MaxFiles = 1024;

    private readonly string _directory;
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);

    private WeightFiles(string directory) => _directory = directory;

    /// <summary>Names of all tensors, in ordinal order.</summary>
    public IEnumerable<string> Names => _fileOf.Keys.Order(StringComparer.Ordinal);

    public long ByteCount => _files.Sum(file => file.Tensors.Values.Sum(tensor => tensor.ByteCount));

    /// <exception cref="ModelLoadException">No weights, or files that do not fit together.</exception>
    public static WeightFiles Open(string directory)
    {
        string index = Path.Combine(directory, IndexName);
        string single = Path.Combine(directory, SingleName);
        var result = new WeightFiles(directory);
        try
        {
            if (File.Exists(index))
            {
                result.AddShards(index);
            }
            else if (File.Exists(single))
            {
                result.Add(SafetensorsFile.Open(single), only: null);
            }
            else
            {
                throw new ModelLoadException($"{directory} has neither {SingleName} nor {IndexName}. Weights in other formats (.bin, .gguf) must be converted to safetensors.");
            }
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    public TensorInfo? TryFind(string name) => _fileOf.TryGetValue(name, out var file) ? file.Tensors[name] : null;

    /// <summary>A tensor that must be there, in a type that the engine computes with and with this shape.</summary>
    public TensorInfo Find(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = TryFind(name)
            ?? throw new ModelLoadException($"{_directory}: the tensor {name} is in none of the weight files ({string.Join(", ", _files.Select(file => Path.GetFileName(file.Path)).Take(4))}).");
        if (!tensor.Shape.SequenceEqual(shape.ToArray()))
        {
            throw new ModelLoadException(
                $"{PathOf(name)}: tensor {name} has shape [{string.Join(", ", tensor.Shape)}]; {ModelConfigReader.FileName} asks for [{string.Join(", ", shape.ToArray())}].");
        }
        _ = Format(tensor);
        return tensor;
    }

    public WeightFormat Format(TensorInfo tensor) => tensor.DType switch
    {
        "F32" => WeightFormat.Float32,
        "F16" => WeightFormat.Float16,
        "BF16" => WeightFormat.BFloat16,
        _ => throw new ModelLoadException($"{PathOf(tensor.Name)}: tensor {tensor.Name} has type {tensor.DType}; weights must be F32, F16 or BF16 (quantized weights are not supported)."),
    };

    public ReadOnlySpan<byte> Bytes(TensorInfo tensor, long offset, int byteCount) => _fileOf[tensor.Name].Bytes(tensor, offset, byteCount);

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private string PathOf(string name) => _fileOf[name].Path;

    private void AddShards(string index)
    {
        var map = ModelJson.Read(index, MaxIndexBytes).Object("weight_map") ?? throw new ModelLoadException($"{index} has no weight_map.");
        var namesOf = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (string tensor in map.Keys)
        {
            string file = map.String(tensor) ?? "";
            if (file.Length == 0 || file != Path.GetFileName(file) || file is "." or "..")
            {
                throw new ModelLoadException($"{index}: tensor {tensor} is said to be in \"{file}\", which is not the name of a file in the same directory.");
            }
            if (!namesOf.TryGetValue(file, out var names))
            {
                namesOf.Add(file, names = new HashSet<string>(StringComparer.Ordinal));
                if (namesOf.Count > MaxFiles)
                {
                    throw new ModelLoadException($"{index} names more than {MaxFiles} files, the limit.");
                }
            }
            names.Add(tensor);
        }
        foreach (var (file, names) in namesOf.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Add(SafetensorsFile.Open(Path.Combine(_directory, file)), names);
        }
    }

    /// <param name="only">Names that the index expects in this file; null: all that it has.</param>
    private void Add(SafetensorsFile file, HashSet<string>? only)
    {
        _files.Add(file);
        foreach (string name in only ?? [.. file.Tensors.Keys])
        {
            if (!file.Tensors.ContainsKey(name))
            {
                throw new ModelLoadException($"{file.Path} does not have the tensor {name}, which {IndexName} says it has.");
            }
            _fileOf.Add(name, file);
        }
    }
}
