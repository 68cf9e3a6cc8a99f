namespace Ferry.Cache.Remote.Directory;

/// <summary>Walks the records under a root, level by level, looking at nothing that is not ours and following no link.</summary>
internal static class DirectoryWalk
{
    private static readonly EnumerationOptions OneLevel = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = true,
        RecurseSubdirectories = false,
    };

    /// <summary>Files of records. What vanishes while it is looked at is left out.</summary>
    public static IEnumerable<FileInfo> Records(string root) =>
        from model in Directories(root, 32)
        from salt in Directories(model.FullName, null)
        from prefix in Directories(salt.FullName, 2)
        from chunk in Directories(prefix.FullName, null)
        from file in Files(chunk.FullName)
        select file;

    /// <summary>Record files of one chunk's directory.</summary>
    public static IEnumerable<FileInfo> Files(string chunkDirectory)
    {
        using var files = Enumerate(() => new DirectoryInfo(chunkDirectory).EnumerateFiles("*" + RecordPath.Extension, OneLevel)).GetEnumerator();
        while (TryMoveNext(files))
        {
            if (RecordPath.TryParse(files.Current.Name, out _))
            {
                yield return files.Current;
            }
        }
    }

    private static IEnumerable<DirectoryInfo> Directories(string parent, int? nameLength)
    {
        using var directories = Enumerate(() => new DirectoryInfo(parent).EnumerateDirectories("*", OneLevel)).GetEnumerator();
        while (TryMoveNext(directories))
        {
            if (nameLength is null || directories.Current.Name.Length == nameLength)
            {
                yield return directories.Current;
            }
        }
    }

    private static IEnumerable<T> Enumerate<T>(Func<IEnumerable<T>> open)
    {
        try
        {
            return open();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static bool TryMoveNext<T>(IEnumerator<T> entries)
    {
        try
        {
            return entries.MoveNext();
        }
        catch (DirectoryNotFoundException)
        {
            return false; // Another node evicted it.
        }
    }
}
