using System.Reflection;
using Ferry.Cluster.Verification;

namespace Ferry.IntegrationTests.Verification;

/// <summary>A probe that nobody has seen fail proves nothing.</summary>
public sealed class PlantedFaultTests
{
    [Fact]
    public void EveryProbe_HasATestThatPlantsItsFault()
    {
        var planted = typeof(PlantedFaultTests).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetCustomAttributes<TraitAttribute>())
            .Where(trait => trait.Name == PlantedFault.Trait).Select(trait => trait.Value).Distinct();
        Assert.Equal(Verifier.Probes.Select(probe => probe.Id).Order(StringComparer.Ordinal), planted.Order(StringComparer.Ordinal));
    }
}
