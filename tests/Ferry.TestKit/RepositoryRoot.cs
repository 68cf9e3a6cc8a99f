namespace Ferry.TestKit;

/// <summary>Where the sources lie, for tests that read documents, data or the shipped model.</summary>
public static class RepositoryRoot
{
    /// <summary>The directory that holds Ferry.slnx.</summary>
    public static string Path { get; } = Find();

    /// <summary>A path below the root.</summary>
    public static string At(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "Ferry.slnx")))
            {
                return directory.FullName;
            }
        }
        throw new InvalidOperationException($"There is no Ferry.slnx above {AppContext.BaseDirectory}.");
    }
}
