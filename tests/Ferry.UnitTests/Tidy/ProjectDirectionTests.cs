using System.Xml.Linq;
using Xunit;

namespace Ferry.UnitTests.Tidy;

public sealed class ProjectDirectionTests
{
    private static readonly Dictionary<string, int> Floors = new()
    {
        ["Ferry.Kv"] = 1,
        ["Ferry.Cache"] = 2,
        ["Ferry.Transfer"] = 2,
        ["Ferry.Engine"] = 2,
        ["Ferry.Cluster"] = 2,
        ["Ferry.Cache.Remote"] = 3,
        ["Ferry.Router"] = 3,
        ["Ferry.Dashboard"] = 3,
        ["Ferry.Serving"] = 4,
        ["Ferry.Cli"] = 5,
    };

    public static TheoryData<string> Projects() => [.. Repository.Files("*.csproj", "src")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_References_PointOnlyToLowerFloors(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(Floors.TryGetValue(name, out var floor), $"{name} has no floor: add it to docs/architecture.md and to this test.");
        foreach (var reference in XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference"))
        {
            var target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
            Assert.True(Floors[target] < floor, $"{name} (floor {floor}) references {target} (floor {Floors[target]}); a floor never looks up.");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_EveryOneOfThem_HasSourcesAndStandsInTheArchitecturePage(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.NotEmpty(Repository.CSharpFiles($"src/{name}"));
        Assert.Contains($"`{name}`", Repository.Read("docs/architecture.md"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_PackageReferences_NameNoVersion(string project)
    {
        foreach (var package in XDocument.Parse(Repository.Read(project)).Descendants("PackageReference"))
        {
            Assert.True(package.Attribute("Version") is null, $"{project}: versions stand in Directory.Packages.props.");
        }
    }
}
