namespace Ferry.TestKit.Models;

/// <summary>A random model in a directory of its own, deleted with this object.</summary>
public sealed class TinyModelDirectory : IDisposable
{
    public TinyModelDirectory(int seed = 1, TinyModelShape? shape = null)
    {
        Shape = shape ?? new TinyModelShape();
        Path = Directory.CreateTempSubdirectory("ferry-tiny-model-").FullName;
        Tensors = TinyModel.Write(Path, seed, Shape);
    }

    public string Path { get; }

    public TinyModelShape Shape { get; }

    public IReadOnlyDictionary<string, TinyTensor> Tensors { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
