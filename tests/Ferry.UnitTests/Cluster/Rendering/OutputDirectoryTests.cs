using System.Runtime.Versioning;
using Ferry.Cluster.Rendering.Output;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

[SupportedOSPlatform("linux")]
public sealed class OutputDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ferry-render-").FullName;

    private string Target => Path.Combine(_root, "out");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Write_ANewDirectory_HoldsEveryFileAndNothingElse()
    {
        OutputDirectory.Write(Target, [new RenderedFile("a/up.sh", "#!/bin/sh\n", IsExecutable: true), new RenderedFile("b.yaml", "b: 1\n")], replaces: false);
        Assert.Equal([".ferry-render", "a/up.sh", "b.yaml"], Files());
        Assert.True(File.GetUnixFileMode(Path.Combine(Target, "a/up.sh")).HasFlag(UnixFileMode.UserExecute));
        Assert.False(File.GetUnixFileMode(Path.Combine(Target, "b.yaml")).HasFlag(UnixFileMode.UserExecute));
        Assert.Single(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void Write_ADirectoryThatIsNotEmpty_IsRefusedAndNothingChanges()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "mine"), "mine");
        var refusal = Assert.Throws<RenderOutputException>(() => OutputDirectory.Write(Target, [new RenderedFile("b.yaml", "b: 1\n")], replaces: false));
        Assert.Contains("--force", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["mine"], Files());
    }

    [Fact]
    public void Write_WithForce_ReplacesItsOwnFilesAndKeepsOthers()
    {
        OutputDirectory.Write(Target, [new RenderedFile("old.yaml", "old"), new RenderedFile("kept.yaml", "1")], replaces: false);
        Directory.CreateDirectory(Path.Combine(Target, "notes"));
        File.WriteAllText(Path.Combine(Target, "notes", "mine"), "mine");
        OutputDirectory.Write(Target, [new RenderedFile("kept.yaml", "2")], replaces: true);
        Assert.Equal([".ferry-render", "kept.yaml", "notes/mine"], Files());
        Assert.Equal("2", File.ReadAllText(Path.Combine(Target, "kept.yaml")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void Write_AFileThatCannotBeWritten_LeavesTheDirectoryAsItWas()
    {
        OutputDirectory.Write(Target, [new RenderedFile("a", "1")], replaces: false);
        // The second file wants the first one to be a directory: half of the work is done by then.
        Assert.Throws<RenderOutputException>(() => OutputDirectory.Write(Target, [new RenderedFile("b", "2"), new RenderedFile("b/c", "3")], replaces: true));
        Assert.Equal([".ferry-render", "a"], Files());
        Assert.Single(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void Write_WhereAFileStands_IsRefused()
    {
        File.WriteAllText(Target, "");
        Assert.Throws<RenderOutputException>(() => OutputDirectory.Write(Target, [], replaces: true));
    }

    private IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Target, path)).Order(StringComparer.Ordinal);
}
