using System.Runtime.CompilerServices;

namespace Ferry.UnitTests.Tidy;

/// <summary>The sources as they lie on disk beside these tests.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>C# files below the folders, generated output left out; paths relative to the root, with '/'.</summary>
    public static IEnumerable<string> CSharpFiles(params string[] folders) => Files("*.cs", folders);

    public static IEnumerable<string> Files(string pattern, params string[] folders) =>
        folders.Select(folder => Path.Combine(Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "obj" or "bin" or "artifacts" or "node_modules"))
            .Order(StringComparer.Ordinal);

    public static string Read(string relativePath) => File.ReadAllText(Path.Combine(Root, relativePath));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(here)!);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Ferry.slnx")))
        {
            directory = directory.Parent;
        }
        return directory?.FullName ?? throw new InvalidOperationException($"No Ferry.slnx above {here}.");
    }
}
