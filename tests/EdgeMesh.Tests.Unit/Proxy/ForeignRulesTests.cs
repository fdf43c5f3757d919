using EdgeMesh.Proxy.Explain;

namespace EdgeMesh.Tests.Unit.Proxy;

/// <summary>Filters of others that we cannot overrule, as <c>nft list ruleset</c> tells them.</summary>
public sealed class ForeignRulesTests
{
    private const string Docker = """
        table ip filter {
        	chain DOCKER-USER {
        		counter packets 0 bytes 0 return
        	}

        	chain FORWARD {
        		type filter hook forward priority filter; policy drop;
        		counter packets 7 bytes 420 jump DOCKER-USER
        		oifname "docker0" ct state related,established counter packets 0 bytes 0 accept
        		iifname "docker0" oifname != "docker0" counter packets 0 bytes 0 accept
        	}
        }
        """;

    private const string Firewalld = """
        table inet firewalld {
        	chain filter_INPUT {
        		type filter hook input priority filter + 10; policy accept;
        		ct state { established, related } accept
        		ct status dnat accept
        		iifname "lo" accept
        		jump filter_INPUT_ZONES
        		ct state invalid drop
        		reject with icmpx admin-prohibited
        	}

        	chain filter_FORWARD {
        		type filter hook forward priority filter + 10; policy accept;
        		ct state { established, related } accept
        		ct status dnat accept
        		reject with icmpx admin-prohibited
        	}

        	chain filter_INPUT_ZONES {
        		iifname "eth0" goto filter_IN_public
        		goto filter_IN_public
        	}
        }
        """;

    private const string Ufw = """
        table ip filter {
        	chain ufw-user-input {
        		iifname "eth0" tcp dport 22 counter packets 0 bytes 0 accept
        	}

        	chain INPUT {
        		type filter hook input priority filter; policy drop;
        		counter packets 3 bytes 180 jump ufw-before-input
        	}

        	chain ufw-before-input {
        		iifname "lo" counter packets 0 bytes 0 accept
        		ct state related,established counter packets 0 bytes 0 accept
        		counter packets 0 bytes 0 jump ufw-user-input
        	}
        }
        """;

    [Fact]
    public void DockersForwardPolicyIsNamed() =>
        Assert.Equal("table ip filter, chain FORWARD (policy drop)", ForeignRules.FindForwardDrop(Docker));

    [Fact]
    public void AnExceptionForTranslatedConnectionsOpensIt()
    {
        Assert.Null(ForeignRules.FindForwardDrop(Docker.Replace("packets 0 bytes 0 return", "packets 0 bytes 0 ct status dnat accept", StringComparison.Ordinal)));
        Assert.Null(ForeignRules.FindForwardDrop(Firewalld));
    }

    [Fact]
    public void ADropForAllIsNamedUnlessTheTableKnowsThePods()
    {
        Assert.Equal("table ip filter, chain INPUT (policy drop)", ForeignRules.FindInputDrop(Ufw, ["docker0"]));
        Assert.Null(ForeignRules.FindInputDrop(Ufw.Replace("eth0", "docker0", StringComparison.Ordinal), ["docker0"]));
        Assert.NotNull(ForeignRules.FindInputDrop(Ufw.Replace("eth0", "docker0", StringComparison.Ordinal), []));
        Assert.Null(ForeignRules.FindInputDrop(Docker, ["docker0"]));
    }

    [Fact]
    public void ARejectAtTheEndIsAsGoodAsAPolicy()
    {
        Assert.Null(ForeignRules.FindInputDrop(Firewalld, ["docker0"]));
        Assert.Equal(
            "table inet firewalld, chain filter_INPUT: reject with icmpx admin-prohibited",
            ForeignRules.FindInputDrop(Firewalld.Replace("ct status dnat accept", "", StringComparison.Ordinal), ["docker0"]));
    }

    [Fact]
    public void OurOwnTableIsNobodysFilter() =>
        Assert.Null(ForeignRules.FindForwardDrop(Docker.Replace("ip filter", "ip edgemesh", StringComparison.Ordinal)));
}
