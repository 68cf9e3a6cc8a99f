using Ferry.Cluster.Rendering;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>What each profile renders to, byte for byte. After a wanted change: FERRY_UPDATE_GOLDEN=1 writes the files anew, and the diff is reviewed.</summary>
public sealed class GoldenFileTests
{
    [Theory]
    [MemberData(nameof(RenderCases.Everything), MemberType = typeof(RenderCases))]
    public void Render_TheProfile_GivesTheGoldenFiles(string name, RenderTarget target)
    {
        var directory = RepositoryRoot.At("tests", "data", "render", "golden", name, target.ToString().ToLowerInvariant());
        var rendered = RenderCases.Render(name, target);
        if (Environment.GetEnvironmentVariable("FERRY_UPDATE_GOLDEN") == "1")
        {
            if (Directory.Exists(directory)) { Directory.Delete(directory, recursive: true); }
            foreach (var file in rendered.Files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(directory, file.Path))!);
                File.WriteAllText(Path.Combine(directory, file.Path), file.Content);
            }
        }
        Assert.Equal(
            Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(directory, path)).Order(StringComparer.Ordinal),
            rendered.Files.Select(file => file.Path));
        foreach (var file in rendered.Files)
        {
            Assert.Equal(File.ReadAllText(Path.Combine(directory, file.Path)), file.Content);
        }
    }

    [Theory]
    [MemberData(nameof(RenderCases.Everything), MemberType = typeof(RenderCases))]
    public void Render_Twice_GivesTheSameBytes(string name, RenderTarget target) =>
        Assert.Equal(RenderCases.Render(name, target).Files, RenderCases.Render(name, target).Files);
}
