namespace Ferry.UnitTests;

/// <summary>Files of the checkout that the tests were built from.</summary>
internal static class RepositoryFiles
{
    /// <summary>The directory that holds the solution.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string Path(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string Find(string start)
    {
        for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "Ferry.slnx"))) { return directory.FullName; }
        }
        throw new DirectoryNotFoundException($"No directory above {start} holds Ferry.slnx.");
    }
}
