namespace Ferry.Cache.Remote.Directory;

/// <summary>The changes that a directory tier makes to its file system, so that tests can end a process at each of them.</summary>
internal interface IRecordFiles
{
    /// <summary>With all that are missing above it; nothing where it exists.</summary>
    void CreateDirectory(string path);

    /// <summary>Writes a file that does not exist yet.</summary>
    /// <param name="flush">Whether its bytes are on the medium before this returns.</param>
    Task WriteNewAsync(string path, ReadOnlyMemory<byte> bytes, bool flush, CancellationToken cancellationToken);

    /// <summary>Gives a file another name, in one step that nobody sees the middle of; what had that name is gone.</summary>
    void Move(string from, string to);

    /// <summary>Nothing where there is no such file.</summary>
    void Delete(string path);

    /// <exception cref="IOException">It is not empty.</exception>
    void DeleteDirectory(string path);
}
