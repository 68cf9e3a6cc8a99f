namespace Ferry.Cli.Up;

/// <summary>Where <c>models/ferry-tiny</c> lies: below a parent of the program, as in a clone.</summary>
internal static class ShippedModel
{
    private const string RelativePath = "models/ferry-tiny";

    /// <exception cref="UpException">There is none; the user must name a model.</exception>
    public static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var candidate = Path.Combine(directory.FullName, RelativePath);
            if (File.Exists(Path.Combine(candidate, "config.json")))
            {
                return candidate;
            }
        }
        throw new UpException($"No {RelativePath} above {AppContext.BaseDirectory}. Name a model: ferry up DIRECTORY");
    }
}
