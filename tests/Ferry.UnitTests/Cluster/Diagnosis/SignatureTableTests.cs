using Ferry.Cluster.Diagnosis;
using Ferry.Cluster.Diagnosis.Signatures;
using Ferry.Cluster.Lint;
using Ferry.UnitTests.Tidy;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class SignatureTableTests
{
    [Fact]
    public void Table_AsItStands_HasFortySignaturesAndEachAnIdOfItsOwn()
    {
        Assert.True(SignatureTable.All.Count >= 40);
        Assert.Equal(SignatureTable.All.Count, SignatureTable.All.Select(signature => signature.Id).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void Signatures_All_SayWhyHowToMendAndWhereSeen() => Assert.All(SignatureTable.All, signature =>
    {
        Assert.Matches("^DIAG-[A-Z0-9]+-[0-9]{2}$", signature.Id);
        Assert.EndsWith(".", signature.Cause, StringComparison.Ordinal);
        Assert.True(signature.Fix.Length > 10 && signature.Title.Length > 5);
        Assert.NotEmpty(signature.Sources);
        Assert.True(signature.Lines.Count > 0 != signature.Metric is not null, "A signature is seen in lines or in metrics.");
        Assert.All(signature.Lines.SelectMany(line => line.Literals), literal => Assert.True(literal.Length >= 4, $"'{literal}' is so short that every line holds it."));
    });

    [Fact]
    public void References_OfSignatures_LeadToOthers()
    {
        var ids = SignatureTable.All.Select(signature => signature.Id).ToHashSet();
        string[] voices = [.. Enumerable.Range(0, LogVoices.Count).Select(LogVoices.NameOf)];
        Assert.All(SignatureTable.All, signature =>
        {
            Assert.All(signature.CausedBy, id => Assert.Contains(id, ids));
            Assert.All(signature.Needs.Where(need => need.Seen is not null), need => Assert.True(ids.Contains(need.Seen!) || voices.Contains(need.Seen!), $"{signature.Id}: '{need.Seen}' is neither a signature nor a component."));
        });
    }

    [Fact]
    public void Causes_OfSignatures_GoInNoCircle()
    {
        var byId = SignatureTable.All.ToDictionary(signature => signature.Id);
        foreach (var signature in SignatureTable.All)
        {
            Visit(signature, []);
        }

        void Visit(Signature at, string[] path)
        {
            Assert.DoesNotContain(at.Id, path);
            foreach (var above in at.CausedBy)
            {
                Visit(byId[above], [.. path, at.Id]);
            }
        }
    }

    [Fact]
    public void LintRules_OfSignatures_Exist() =>
        Assert.All(SignatureTable.All.SelectMany(signature => signature.LintRules), id => Assert.NotNull(RuleCatalog.Find(id)));

    [Fact]
    public void Literals_OfFerrysOwnSignatures_StandInItsSource()
    {
        var source = string.Join('\n', Repository.CSharpFiles("src").Where(file => !file.Contains("/Diagnosis/", StringComparison.Ordinal)).Select(Repository.Read));
        foreach (var literal in FerrySignatures.All.SelectMany(signature => signature.Lines).SelectMany(line => line.Literals))
        {
            Assert.True(source.Contains(literal, StringComparison.Ordinal), $"No log line of Ferry holds '{literal}'.");
        }
    }

    [Fact]
    public void Nixl_RestartedPeerOnTheSameAddress_IsFoundByTwoLines() =>
        Assert.Equal(2, SignatureTable.Find("diag-nixl-16")!.Lines.Count);
}
