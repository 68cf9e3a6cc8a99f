using Ferry.Cache.Tiers.Disk.Files;

namespace Ferry.Benchmarks.Disk;

/// <summary>A directory whose records take no room: their bytes are not written, the index is. For starts with more records than the disk has room for.</summary>
internal sealed class SparseFiles(IDiskFiles files) : IDiskFiles
{
    public string Path => files.Path;

    public DirectIo DirectIo => files.DirectIo;

    public void Claim() => files.Claim();

    public IReadOnlyList<string> List() => files.List();

    public IDiskFile Create(string name) => new SparseFile(files.Create(name));

    public IDiskFile Open(string name) => new SparseFile(files.Open(name));

    public byte[] ReadAll(string name, int byteCountMax) => files.ReadAll(name, byteCountMax);

    public void Rename(string from, string to) => files.Rename(from, to);

    public void Delete(string name) => files.Delete(name);

    public void SyncDirectory() => files.SyncDirectory();

    public void Dispose() => files.Dispose();

    private sealed class SparseFile(IDiskFile file) : IDiskFile
    {
        public long LengthBytes => file.LengthBytes;

        public long AllocatedBytes => file.AllocatedBytes;

        public void Read(long position, Memory<byte> destination) => file.Read(position, destination);

        public void Write(long position, ReadOnlyMemory<byte> bytes)
        {
        }

        public int ReadSmall(long position, Span<byte> destination) => file.ReadSmall(position, destination);

        public void WriteSmall(long position, ReadOnlySpan<byte> bytes) => file.WriteSmall(position, bytes);

        public void Extend(long lengthBytes) => file.Truncate(lengthBytes); // Longer by a hole.

        public void Truncate(long lengthBytes) => file.Truncate(lengthBytes);

        public bool TryPunch(long position, long byteCount) => file.TryPunch(position, byteCount);

        public void Sync() => file.Sync();

        public void Dispose() => file.Dispose();
    }
}
