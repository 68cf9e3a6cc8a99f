namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>The one directory of a disk tier, as its code sees it: the operating system's, or one in the tests that fails and loses power. Names are file names.</summary>
/// <remarks>Creating, renaming and deleting are durable only after <see cref="SyncDirectory"/>.</remarks>
internal interface IDiskFiles : IDisposable
{
    string Path { get; }

    /// <summary>Whether reads and writes of records bypass the system's cache, and if not, why.</summary>
    DirectIo DirectIo { get; }

    /// <summary>Makes the directory if it is missing and takes it for this process alone.</summary>
    /// <exception cref="DiskTierException">Another process has it, or it cannot be used; the message says how to go on.</exception>
    void Claim();

    /// <summary>Names of everything in the directory, the lock left out.</summary>
    IReadOnlyList<string> List();

    /// <exception cref="IOException">There is such a file.</exception>
    IDiskFile Create(string name);

    IDiskFile Open(string name);

    /// <summary>A small file as a whole.</summary>
    byte[] ReadAll(string name, int byteCountMax);

    void Rename(string from, string to);

    void Delete(string name);

    void SyncDirectory();
}
