namespace Ferry.Cache.Remote.Settings;

/// <summary>What configuration checks ask of the machine; tests answer for it.</summary>
public interface IMachine
{
    /// <summary>Memory that this process may use: the machine's or its container's limit.</summary>
    long MemoryBytes { get; }

    /// <summary>Bytes free in the file system of a path, or of its nearest parent that exists; null: not to be known.</summary>
    long? FreeDiskBytes(string path);

    bool DirectoryExists(string path);

    bool FileExists(string path);

    /// <summary>Null when this machine can listen on the address; else why not ("10.0.0.1 is no address of this machine (it has …)").</summary>
    string? WhyNotLocal(string host);
}
