using Ferry.TestKit;

namespace Ferry.UnitTests.Tidy;

/// <summary>The sources as they lie on disk beside these tests.</summary>
internal static class Repository
{
    public static string Root => RepositoryRoot.Path;

    /// <summary>C# files below the folders, generated output left out; paths relative to the root, with '/'.</summary>
    public static IEnumerable<string> CSharpFiles(params string[] folders) => Files("*.cs", folders);

    public static IEnumerable<string> Files(string pattern, params string[] folders) =>
        folders.Select(folder => Path.Combine(Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "obj" or "bin" or "artifacts" or "node_modules"))
            .Order(StringComparer.Ordinal);

    public static string Read(string relativePath) => File.ReadAllText(Path.Combine(Root, relativePath));
}
