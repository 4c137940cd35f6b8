"""What the code base measures, each figure beside its aim: `make measure`. No part of the product imports this."""
