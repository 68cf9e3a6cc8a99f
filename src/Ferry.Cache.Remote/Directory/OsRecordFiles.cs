namespace Ferry.Cache.Remote.Directory;

/// <summary>The system's own.</summary>
internal sealed class OsRecordFiles : IRecordFiles
{
    public static readonly OsRecordFiles Instance = new();

    private OsRecordFiles()
    {
    }

    public void CreateDirectory(string path) => System.IO.Directory.CreateDirectory(path);

    public async Task WriteNewAsync(string path, ReadOnlyMemory<byte> bytes, bool flush, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous, bytes.Length);
        await RandomAccess.WriteAsync(file, bytes, 0, cancellationToken);
        if (flush)
        {
            RandomAccess.FlushToDisk(file);
        }
    }

    public void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void DeleteDirectory(string path) => System.IO.Directory.Delete(path, recursive: false);
}
